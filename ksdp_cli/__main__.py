"""``python -m ksdp_cli`` is ``ksdp``."""

from .cli.app import main

if __name__ == "__main__":
    main()
