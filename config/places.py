"""Where the server's own files lie."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured


def socket_folder(data: Path) -> Path:
    """Return the folder for the sockets of the embedded servers.

    A socket's path ends at 107 bytes, and a checkout may lie deep, so it is a short
    folder under the temporary directory, named by the user and the data folder.
    """
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:10]
    return Path(tempfile.gettempdir()) / f"runtrail-{os.getuid()}-{digest}"


def kept_secret(path: Path) -> str:
    """Return the secret kept in `path`; make one, readable by its owner only, where there is none."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    try:
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # of two first starts at once, one wins and both read the same key
    except OSError as problem:
        raise ImproperlyConfigured(
            f"RUNTRAIL_DATA: nothing can be written into {path.parent}: {problem.strerror}."
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return path.read_text().strip()


def artifacts(folder: Path, *, bucket: str, region: str) -> dict[str, Any]:
    """Return the entry of STORAGES for archives: in `bucket` of S3 where one is named, else in `folder`."""
    if not bucket:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    options = {"bucket_name": bucket, "region_name": region or None, "default_acl": None}
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {**options, "file_overwrite": True}}
