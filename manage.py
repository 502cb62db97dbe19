#!/usr/bin/env python
"""The operators' door: `manage.py help` lists the commands."""

from __future__ import annotations

import os
import sys

from syncadmin.embedded.handover import adopt
from syncadmin.environment import stop_on_bad_setting
from syncadmin.management import bare


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "syncadmin.settings")
    adopt(os.environ)
    code = bare.run(sys.argv[1:])
    if code is not None:
        sys.exit(code)
    with stop_on_bad_setting():
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
