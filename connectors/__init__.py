"""One module per outside system: sources, channels, actuators, probes."""
