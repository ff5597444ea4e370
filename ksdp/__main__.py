"""``python -m ksdp`` is ``ksdp``."""

from ksdp_cli.cli.app import main

if __name__ == "__main__":
    main()
