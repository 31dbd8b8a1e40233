"""SQL in, Arrow out: where signals, context, proofs and outcomes are read."""
