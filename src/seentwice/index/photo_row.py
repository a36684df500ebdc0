"""What the table of photos knows of one file."""

from dataclasses import dataclass

DIGEST_BYTES = 32
"""Of a sha256."""


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """What was seen of one file.

    Raises:
        ValueError: hashes without a signature, or a signature without hashes.
    """

    key: str  # path below the root, parts joined by "/"; bytes that are not UTF-8 as surrogates
    size_bytes: int
    modified_ns: int
    inode: int
    sha256: bytes  # of the file; empty where it could not be read
    width: int  # upright; 0 where it is no photo
    height: int
    hashes: tuple[int, ...]  # 64 bits each, in the order of the table's names; () for no photo
    decoding: str  # the way of decoding that the hashes come from
    signature: bytes  # a tiny picture; empty for no photo
    has_content: bool  # False: blank, or of two tones
    reason: str  # why the file gave no photo; empty where it did
    detail: str

    def __post_init__(self) -> None:
        if bool(self.hashes) != bool(self.signature):
            raise ValueError(f"{self.key!r}: hashes and signature come together, or neither does")


@dataclass(frozen=True, slots=True)
class StoreMeta:
    """What all rows of a table share, and what two tables are told apart by."""

    root: str  # the folder of photos that keys are below
    hash_names: tuple[str, ...]
    decoding: str  # that a run asked for; rows name the one that they come from
    signature_bytes: int
