"""A plugin of pytest that points PyPI's akismet at the daemon under test."""

import os

from akismet import _common

_common._API_URL = os.environ["HAMLET_URL"]
