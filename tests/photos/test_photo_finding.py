import io
import os
import socket
from pathlib import Path

import pytest
from PIL import Image

from seentwice.errors import UserError
from seentwice.photos import EXTENSIONS, PhotoError, find_photos, formats, read_photo
from seentwice.records import Reason, Unreadable

LIMIT = 1_000_000


def encode(form: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 24), "teal").save(stream, form)
    return stream.getvalue()


PNG = encode("png")


def ftyp(*brands: bytes) -> bytes:
    """The head of a file of ISO media: its size, its own brand, a version, the others."""
    own, *others = brands
    body = b"ftyp" + own + bytes(4) + b"".join(others)
    return (len(body) + 4).to_bytes(4) + body + b"\0\0\0\x08meta" * 20


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder of things that are named like photos, and one photo."""
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "circle.jpg").symlink_to(tmp_path / "circle.jpg")
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "folder.jpg" / "inside.png").write_bytes(PNG)
    (tmp_path / "null.jpg").symlink_to("/dev/null")
    return tmp_path


ODD = {
    "broken.jpg": Reason.MISSING,
    "circle.jpg": Reason.MISSING,
    "fifo.jpg": Reason.NOT_A_FILE,
    "folder.jpg": Reason.NOT_A_FILE,
    "null.jpg": Reason.NOT_A_FILE,
}


def test_what_is_no_file_is_listed_and_not_opened(odd: Path) -> None:
    photos, unreadable = find_photos(odd)
    assert photos == [odd / "a.png", odd / "folder.jpg" / "inside.png"]
    assert {problem.path.name: problem.reason for problem in unreadable} == ODD
    assert [problem.path.name for problem in unreadable] == sorted(ODD)


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_file_is_not_read(odd: Path, name: str) -> None:
    with pytest.raises(PhotoError) as caught:
        read_photo(odd / name, LIMIT)
    assert caught.value.unreadable.reason is ODD[name]


def test_a_socket_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may have 107 bytes only
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.jpg")
        with pytest.raises(PhotoError) as caught:
            read_photo(Path("s.jpg"), LIMIT)
    assert caught.value.unreadable == Unreadable(Path("s.jpg"), Reason.NOT_A_FILE, "a socket")


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "no.jpg", tmp_path / "no" / "no.jpg", tmp_path / ("x" * 300 + ".jpg")):
        with pytest.raises(PhotoError) as caught:
            read_photo(path, LIMIT)
        assert caught.value.unreadable.reason is Reason.MISSING


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_files_and_folders_without_permission_are_listed(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(PNG)
    (tmp_path / "b.png").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    photos, unreadable = find_photos(tmp_path)
    assert photos == [tmp_path / "a.png"]
    assert [problem.path.name for problem in unreadable] == ["b.png", "closed"]
    assert {problem.reason for problem in unreadable} == {Reason.NO_PERMISSION}
    with pytest.raises(PhotoError) as caught:
        read_photo(tmp_path / "b.png", LIMIT)
    assert caught.value.unreadable.reason is Reason.NO_PERMISSION


def test_a_refused_open_is_a_lack_of_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_open(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse_open)
    (tmp_path / "a.png").touch()
    with pytest.raises(PhotoError) as caught:
        read_photo(tmp_path / "a.png", LIMIT)
    expected = Unreadable(tmp_path / "a.png", Reason.NO_PERMISSION, "Permission denied")
    assert caught.value.unreadable == expected


def test_a_file_that_may_not_be_read_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").touch()
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path).name != "b.png" and real(path, mode)
    )
    photos, unreadable = find_photos(tmp_path)
    assert photos == [tmp_path / "a.png"]
    assert [problem.reason for problem in unreadable] == [Reason.NO_PERMISSION]


def test_photos_are_found_by_extension_in_the_order_of_their_paths(tmp_path: Path) -> None:
    names = [
        *("b/2.JPG", "b/10.jpeg", "a b/é.Png", "a/x.webp", "a.bmp", "z/deep/er/i.gif", "t.TIFF"),
        *("u.jfif", "v.avif"),
    ]
    ignored = [
        *(
            "manifest.csv",
            "a/notes.txt",
            "README",
            "jpg",
            "Thumbs.db",
            ".DS_Store",
            "photo.jpg.json",
        ),
        *(".hidden.jpg", ".trash/a.jpg", "b/._2.jpg", "x.md"),
    ]
    for name in (*names, *ignored):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    photos, unreadable = find_photos(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in photos] == sorted(names)
    assert unreadable == []


def test_names_of_any_bytes_are_found_and_read(tmp_path: Path) -> None:
    for name in (b"caf\xe9.png", b"two\nlines.png", b" spaces  .png", b"-rf.png"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.write_bytes(PNG)
    photos, _ = find_photos(tmp_path)
    assert len(photos) == 4
    assert {read_photo(path, LIMIT).size for path in photos} == {(40, 24)}


def test_links_to_files_are_followed_and_links_to_folders_are_not(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").write_bytes(PNG)
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    (tmp_path / "linked.png").symlink_to(tmp_path / "real" / "a.png")
    (tmp_path / "album.jpg").symlink_to(tmp_path / "real")
    photos, unreadable = find_photos(tmp_path)
    assert photos == [tmp_path / "linked.png", tmp_path / "real" / "a.png"]
    assert [problem.path.name for problem in unreadable] == ["album.jpg"]
    (tmp_path / "root").symlink_to(tmp_path / "real")
    assert find_photos(tmp_path / "root")[0] == [tmp_path / "root" / "a.png"]


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder; give the folder that holds the photos"):
        find_photos(tmp_path / "nothing")
    (tmp_path / "a.jpg").touch()
    with pytest.raises(UserError, match="is no folder; give the folder"):
        find_photos(tmp_path / "a.jpg")
    with pytest.raises(UserError, match=r"^root='a\.jpg': give Path\('a\.jpg'\)$"):
        find_photos("a.jpg")


def test_a_folder_without_photos_is_refused_by_extensions(tmp_path: Path) -> None:
    (tmp_path / "table.csv").touch()
    with pytest.raises(UserError) as caught:
        find_photos(tmp_path)
    assert all(extension in str(caught.value) for extension in EXTENSIONS)
    (tmp_path / "a\n.jpg").symlink_to("nothing")
    with pytest.raises(UserError, match=r"a\\n\.jpg': missing") as caught:
        find_photos(tmp_path)
    assert "\n" not in str(caught.value)


def test_what_packers_and_file_managers_leave_is_passed_over(tmp_path: Path) -> None:
    names = ("__MACOSX/bedroom/._a_b_1.jpg", "bedroom/.DS_Store", "bedroom/Thumbs.db")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"\0\x05\x16\x07" + PNG)
    (tmp_path / "bedroom" / "a_b_1.png").write_bytes(PNG)
    photos, unreadable = find_photos(tmp_path)
    assert photos == [tmp_path / "bedroom" / "a_b_1.png"]
    assert unreadable == []


HEIC = "HEIC; pip install 'seentwice[heic]', or "


@pytest.fixture
def without_heic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "heic_plugin", lambda: None)


def test_a_photo_by_another_name_is_listed(tmp_path: Path, without_heic: None) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b").write_bytes(encode("jpeg"))
    (tmp_path / "c.jpg_large").write_bytes(encode("webp"))
    (tmp_path / "d.txt").write_bytes(b"BM, the museum")
    (tmp_path / "e").write_bytes(b"")
    (tmp_path / "f.broken").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "g")
    (tmp_path / "h.bak").write_bytes(ftyp(b"heic", b"mif1", b"heic"))
    photos, unreadable = find_photos(tmp_path)
    assert photos == [tmp_path / "a.png"]
    assert [(p.path.name, p.reason, p.detail) for p in unreadable] == [
        ("b", Reason.MISNAMED, "begins like JPEG; rename it to end in .jpeg"),
        ("c.jpg_large", Reason.MISNAMED, "begins like WEBP; rename it to end in .webp"),
        ("h.bak", Reason.UNDECODED, f"{HEIC}convert it to JPEG or PNG"),
    ]


def test_raw_files_are_listed_whatever_they_begin_with(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.NEF").write_bytes(encode("tiff"))
    (tmp_path / "c.jxl").touch()
    (tmp_path / "d.dng").symlink_to(tmp_path / "nothing")
    _, unreadable = find_photos(tmp_path)
    assert [(p.path.name, p.reason, p.detail) for p in unreadable] == [
        ("b.NEF", Reason.UNDECODED, "a camera's raw file; convert it to JPEG or PNG"),
        ("c.jxl", Reason.UNDECODED, "JPEG XL; convert it to JPEG or PNG"),
        ("d.dng", Reason.MISSING, "No such file or directory"),
    ]


@pytest.mark.parametrize(
    ("name", "head", "detail"),
    [
        ("IMG_1.HEIC", ftyp(b"heic", b"mif1", b"heic"), HEIC),
        ("a.heif", ftyp(b"mif1", b"miaf", b"heic"), HEIC),  # which AVIF may begin with, too
        ("a.hif", ftyp(b"heix", b"mif1"), HEIC),
        ("a.jpg", ftyp(b"heic", b"mif1"), HEIC),
        ("a.jpg", ftyp(b"crx ", b"isom"), "a camera's raw file; "),
        ("a.jpg", b"FUJIFILMCCD-RAW 0201", "a camera's raw file; "),
        ("a.jpg", b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL; "),
        ("a.jpg", b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000; "),
    ],
)
def test_a_format_that_is_not_read_is_named(
    tmp_path: Path, without_heic: None, name: str, head: bytes, detail: str
) -> None:
    (tmp_path / name).write_bytes(head)
    with pytest.raises(PhotoError) as caught:
        read_photo(tmp_path / name, LIMIT)
    problem = caught.value.unreadable
    assert problem.reason is Reason.UNDECODED
    assert problem.detail == f"{detail}convert it to JPEG or PNG"


def test_heic_is_listed_before_its_name_must_tell_a_place(
    tmp_path: Path, without_heic: None
) -> None:
    (tmp_path / "IMG1.HEIC").write_bytes(ftyp(b"heic", b"mif1"))
    told = r"IMG1\.HEIC': format that is not read: HEIC; pip .* to JPEG or PNG\); give a folder"
    with pytest.raises(UserError, match=told):
        find_photos(tmp_path)
    (tmp_path / "a.heic").write_bytes(encode("jpeg"))  # as some phones' exports are
    photos, unreadable = find_photos(tmp_path)
    assert photos == [tmp_path / "a.heic"]
    assert [(p.path.name, p.reason) for p in unreadable] == [("IMG1.HEIC", Reason.UNDECODED)]


@pytest.mark.parametrize("brand", [b"avif", b"mif1"])
def test_an_avif_of_either_brand_is_read(tmp_path: Path, brand: bytes) -> None:
    data = encode("avif")
    assert data[8:12] == b"avif"
    (tmp_path / "a.avif").write_bytes(data[:8] + brand + data[12:])
    assert read_photo(tmp_path / "a.avif", LIMIT).size == (40, 24)


def test_a_root_that_may_not_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UserError, match=r"cannot be listed \(Permission denied\); let your acc"):
        find_photos(tmp_path)
    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(UserError, match=r"cannot be listed \(Permission denied\)"):
        find_photos(tmp_path)


def test_a_root_behind_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(UserError, match=r"a\.jpg/homes': no such folder"):
        find_photos(tmp_path / "a.jpg" / "homes")


def test_the_current_folder_is_a_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bedroom").mkdir()
    (tmp_path / "bedroom" / "a.png").write_bytes(PNG)
    monkeypatch.chdir(tmp_path)
    assert find_photos(Path())[0] == [Path("bedroom/a.png")]
    assert find_photos(Path("bedroom/.."))[0] == [Path("bedroom/../bedroom/a.png")]
