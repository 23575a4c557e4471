"""The ports: what a provider implements. One file a port, read top to bottom: structs, errors, protocol."""
