"""A data set of Kaggle, downloaded with its own package and the user's token.

The package is imported when it is needed: it looks for the token while it is imported, makes its
folder in the user's home, and prints.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seentwice.data.fetching.archive_download import TIMEOUT_S, interrupted, save_chunks
from seentwice.data.source import Progress
from seentwice.display import one_line
from seentwice.errors import UserError

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi
    from requests import Response

TOKEN_PAGE = "https://www.kaggle.com/settings/api"
_CHUNK_BYTES = 1 << 20
_READ_BY_OTHERS = 0o044
# What the package raises of a file with a token that may not be read, or holds something else.
_WRONG_FILES = (PermissionError, UnicodeError, LookupError, TypeError, AttributeError)


def download_dataset(slug: str, path: Path, on_progress: Progress) -> None:
    """Download the newest version of a data set as one zip.

    The package finds the token: KAGGLE_API_TOKEN, ~/.kaggle/access_token, KAGGLE_USERNAME and
    KAGGLE_KEY, kaggle.json in KAGGLE_CONFIG_DIR or ~/.kaggle, or what `kaggle auth login` left.

    Args:
        slug: `owner/name`.
        path: in a folder that exists. After an error it may hold a part of the zip.
        on_progress: called with the megabytes done so far and their total, 0 if unknown.

    Raises:
        UserError: no package, no token, no network, or Kaggle refuses.
    """
    page = f"https://www.kaggle.com/datasets/{slug}"
    otherwise = f"or download the zip from {page} and give data.archive=ZIP"
    api = _authenticate(page, otherwise)
    from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

    request = ApiDownloadDatasetRequest()
    request.owner_slug, _, request.dataset_slug = slug.partition("/")
    with _request_errors(page, otherwise), api.build_kaggle_client() as client:
        # The package waits for an answer for ever; its client offers no other way to say how long.
        session = client.http_client()._session
        session.send = partial(session.send, timeout=TIMEOUT_S)
        response = client.datasets.dataset_api_client.download_dataset(request)
        with response:
            save_chunks(_read_chunks(response, page), path, _announced(response), page, on_progress)


def _authenticate(page: str, otherwise: str) -> "KaggleApi":
    """Import the package and let it find the token."""
    # It prints twenty lines where there is no token, and then ends the program.
    with redirect_stdout(io.StringIO()), _request_errors(page, otherwise):
        try:
            from kaggle.api.kaggle_api_extended import KaggleApi
        except ImportError as error:
            raise UserError(
                f"downloading {page} needs the package kaggle ({one_line(error)}): "
                f"pip install 'seentwice[kaggle]', {otherwise}"
            ) from error
        except OSError as error:  # it makes its folder
            raise UserError(
                f"the package kaggle does not start ({one_line(error)}): set KAGGLE_CONFIG_DIR to "
                f"a folder that it may write, {otherwise}"
            ) from error
        api = KaggleApi()
        key_file = Path(api.config)
        try:
            api.authenticate()
        except (SystemExit, *_WRONG_FILES) as error:
            source = _find_token()
            if source is not None:
                raise UserError(
                    f"the Kaggle token of {source} is not valid or has expired: make a new one at "
                    f"{TOKEN_PAGE} and put it there, {otherwise}"
                ) from error
            found = f"{key_file} gives none that is valid" if key_file.exists() else "none found"
            raise UserError(
                f"no Kaggle token ({found}): make one at {TOKEN_PAGE} and put it in the variable "
                f"KAGGLE_API_TOKEN or the file ~/.kaggle/access_token, {otherwise}"
            ) from error
    if api.CONFIG_NAME_TOKEN in api.config_values:
        source = _find_token()
        if isinstance(source, Path):
            _check_rights(source)
    elif "KAGGLE_KEY" not in os.environ:
        _check_rights(key_file)
    return api


def _find_token() -> Path | str | None:
    """Return what the package takes the token from: a file, or the name of a variable.

    Files of keys are not among these: it looks there if there is no valid token.
    """
    variable = os.environ.get("KAGGLE_API_TOKEN")
    if variable:
        return Path(variable) if Path(variable).is_file() else "KAGGLE_API_TOKEN"
    files = (Path.home() / ".kaggle" / name for name in ("access_token", "access_token.txt"))
    return next((file for file in files if file.is_file() and file.stat().st_size), None)


def _check_rights(key_file: Path) -> None:
    """Refuse a key that all users of the machine may read, of which the package only warns."""
    if os.name != "nt" and key_file.is_file() and key_file.stat().st_mode & _READ_BY_OTHERS:
        raise UserError(f"{key_file}: others can read your Kaggle key; chmod 600 {key_file}")


@contextmanager
def _request_errors(page: str, otherwise: str) -> Iterator[None]:
    """Say what to do about an answer of Kaggle, or about none."""
    try:
        yield
    except OSError as error:
        # Known only now, with the package: its errors are OSErrors.
        from requests.exceptions import HTTPError, RequestException

        if not isinstance(error, RequestException):
            raise
        status = error.response.status_code if isinstance(error, HTTPError) else None
        remedies = {
            401: f"refuses the token: make a new one at {TOKEN_PAGE}",
            403: f"refuses the download: sign in, accept the terms on {page} and run again",
            404: f"knows no data set {page}: see whether it has moved",
            429: "was asked too often: wait an hour and run the command again",
        }
        if status is None:
            raise UserError(
                f"Kaggle cannot be reached ({one_line(error)}); see to the network and run the "
                f"command again, {otherwise}"
            ) from error
        remedy = remedies.get(status, f"fails ({one_line(error)}): run the command again later")
        raise UserError(f"Kaggle ({status}) {remedy}, {otherwise}") from error


def _announced(response: "Response") -> int | None:
    """Return the bytes to come, where they come as they are."""
    length = response.headers.get("Content-Length", "")
    packed = response.headers.get("Content-Encoding", "identity") != "identity"
    return int(length) if length.isdecimal() and not packed else None


def _read_chunks(response: "Response", page: str) -> Iterator[bytes]:
    from requests.exceptions import RequestException

    try:
        yield from response.iter_content(_CHUNK_BYTES)
    except RequestException as error:
        raise interrupted(page, one_line(error)) from error
