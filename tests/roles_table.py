"""Print docs/roles.md from the routes: python -m tests.roles_table > docs/roles.md"""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from dashboards.roles import table

    sys.stdout.write(table())


if __name__ == "__main__":
    main()
