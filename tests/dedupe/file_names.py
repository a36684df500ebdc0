"""Names as a file system may hold them: any bytes but zero."""

import os

from hypothesis import strategies as st

_HARD = st.sampled_from([b"=", b"'", b'"', b",", b"\r", b"\n", b"\xff", "é".encode(), b"</script>"])


def file_names() -> st.SearchStrategy[str]:
    pieces = st.lists(_HARD | st.binary(min_size=1, max_size=4), min_size=1, max_size=6)
    return pieces.map(lambda parts: os.fsdecode(b"".join(parts).replace(b"\0", b"-")))
