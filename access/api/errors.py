"""Errors that are no fault of a single field, in the form of all others."""

from __future__ import annotations

from rest_framework import status
from rest_framework.exceptions import APIException


class Conflict(APIException):
    """What is asked for contradicts what is there."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This contradicts what is stored."
    default_code = "conflict"


class Refused(APIException):
    """It can't be done so; the text says why and what to do."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "refused"


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class Unreadable(APIException):
    """A report that can't be read."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "unreadable"


class UnknownFormat(APIException):
    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    default_code = "unknown_format"
