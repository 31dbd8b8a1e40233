"""The rule language: SQL scalar expressions, checked against declared fields and generated."""
