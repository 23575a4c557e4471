"""`python -m statuette`."""

from statuette.kernel.cli.main import main

if __name__ == "__main__":
    main()
