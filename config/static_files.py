"""Static files with hashed names, compressed by gzip alone (docs/decisions/0009)."""

from __future__ import annotations

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class GzippedStaticFiles(CompressedManifestStaticFilesStorage):
    """brotli, which other packages bring along, takes twenty seconds for one script at the first start."""

    def create_compressor(self, **options: Any) -> Compressor:
        return Compressor(use_brotli=False, **options)
