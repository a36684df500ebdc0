"""What a user does wrong is answered by one line that names the choices, and exit code 2."""

from importlib import import_module
from pathlib import Path

import pytest

from seentwice.commands import training_job
from seentwice.commands.main import COMMANDS, main

# Now, since FAISS logs while it loads: by then Hydra's log handler of an earlier test would hold a
# stream that pytest has closed.
for command in COMMANDS:
    import_module(f"seentwice.commands.{command}")

MISTAKES = {
    "unknown command": ("compair", "no command 'compair': choose one of prepare, compare, train"),
    "not an override": ("compare seed", "'seed' is not an override: write key=value"),
    "unknown key": ("compare sed=1", "no key 'sed' (did you mean seed?): choose one of"),
    "group of another command": (
        "evaluate head=l2",
        "no key 'head': choose one of bank, checkpoint",
    ),
    "added group of another command": ("evaluate +head=l2", "no key 'head': choose one of bank"),
    "added key": ("train +foo=3", "no key 'foo': choose one of backbone, bank"),
    "added key of a group": ("pairs ++optimizer.lr=1", "no key 'optimizer': choose one of"),
    "added key for help": ("prepare +foo=3 --help", "no key 'foo': choose one of"),
    "group that no key stands for": ("train experimnt=x", "(did you mean experiment?)"),
    "unknown nested key": ("train training.epoch=3", "(did you mean epochs?): choose one of"),
    "unknown option": ("compare backbone=vgg", "compact efficientnet_b0 googlenet mobilenet_v2"),
    "unknown head": ("compare head=[l2,l3]", "Could not load 'head/l3'"),
    "unknown data set": (
        "prepare data=flats",
        "airbnb catalogue folder fronts house_fronts houses listings rooms tags_csv text_pairs",
    ),
    "option that sets what the command has not": (
        "tagger backbone=compact",
        "backbone=compact: sets training, which tagger has not; choose another backbone",
    ),
    "no root": ("compare data=folder", "data.root needs a value: give data.root=VALUE"),
    "missing folder": ("prepare data=folder data.root=nowhere", "'nowhere': no such folder"),
    "missing houses": ("prepare data=houses data.root=nowhere", "'nowhere': no such folder; give"),
    "missing flats": ("prepare data=airbnb data.root=nowhere", "'nowhere': no such folder; give"),
    "missing zip": ("prepare data=airbnb data.archive=a.zip", "data.archive=a.zip: no such file"),
    "empty folder": ("prepare data=folder data.root=empty", "'empty' holds no photo"),
    "unknown baseline": (
        "compare baselines=[surf]",
        "no 'surf': choose from cosine, whitened_cosine",
    ),
    "one baseline without brackets": (
        "compare baselines=cosine",
        "baselines=cosine: give a list, such as baselines=[cosine]",
    ),
    "combine what is not there": (
        "compare baselines=[cosine,histogram,combined] head=l2 combine=[cosine,sift]",
        "combine: no 'sift' in this run: choose from cosine, l2, histogram, or null",
    ),
    "combine one": (
        "compare baselines=[cosine,histogram,combined] combine=[cosine]",
        "combine: name two detectors of the run or more",
    ),
    "photos too small": (
        "compare data=folder data.root=R backbone.side_px=8",
        "backbone.side_px=8: Input should be greater than or equal to 32",
    ),
    "no graphics card": (
        "train data=folder data.root=R training.accelerator=gpu",
        "training.accelerator=gpu: torch finds none here; choose auto or cpu",
    ),
    "one head twice": (
        "compare head=[l2,l1,l2]",
        "head=[l2,l1,l2]: l2 stands there twice; name it once",
    ),
    "one head twice for train": ("train head=[l2,l2]", "l2 stands there twice; name it once"),
    "one baseline twice": (
        "compare baselines=[knn,knn]",
        "baselines=[knn,knn]: knn stands there twice; name it once",
    ),
    "one to combine": (
        "compare head=[] baselines=[combined,average]",
        "baselines: combined combines all others: name two of them or more",
    ),
    "nothing to compare": ("compare head=[] baselines=[]", "nothing to compare: choose heads"),
    "no choice of a group": ("train tower=null", "tower=null: choose one of hardswish, linear, "),
    "no experiment": ("train experiment=null", "samespace_better, or leave it out"),
    "two heads": ("train head=[l1,l2]", "train takes one head; compare takes several"),
    "no checkpoint": ("evaluate", "checkpoint needs a value: give checkpoint=VALUE"),
    "missing checkpoint": ("evaluate checkpoint=none.safetensors", "no such file"),
    "not a run": (
        "train resume=abc",
        "resume=abc: neither the folder of a training nor an MLflow run of train in sqlite",
    ),
    "missing weights": ("train backbone.weights=w.safetensors", "w.safetensors: no such file"),
    "fewer blocks than none": (
        "train data=folder data.root=R backbone.trained_blocks=-1",
        "backbone.trained_blocks=-1: choose 0 to ",
    ),
    "more blocks than there are": (
        "train data=folder data.root=R backbone.trained_blocks=99",
        "backbone.trained_blocks=99: choose 0 to ",
    ),
    "blocks that are no number": (
        "train data=folder data.root=R backbone.trained_blocks=many",
        "backbone.trained_blocks=many: choose 0 to ",
    ),
    "unsafe weights": ("train backbone.weights=w.pth", "choose none, imagenet or a .safetensors"),
    "wrong type": ("train data=folder data.root=R training.epochs=many", "training.epochs='many'"),
    "wrong choice": (
        "train data=folder data.root=R training.batches=x",
        "'table', 'places' or 'copies'",
    ),
    "no copies": ("train data=folder data.root=R head=infonce", "infonce trains on photos beside"),
    "copies that nobody makes": (
        "train data=folder data.root=R training.batches=copies",
        "l2 trains on photos beside their edited copies: give edits=mls",
    ),
    "nothing to train": (
        "compare data=folder data.root=R head=[l2,triplet] backbone.trained_blocks=0 "
        "tower=whitened tower.trains=false",
        "tower.trains=false: triplet has nothing else to train; give tower.trains=true",
    ),
    "embeddings in two spaces": (
        "compare data=folder data.root=R head=[concat,triplet] tower.shared=false",
        "head=triplet: needs one space of embeddings; give tower.shared=true",
    ),
    "embeddings of any length": (
        "compare data=folder data.root=R head=[l2,infonce] tower=hardswish",
        "head=infonce: needs embeddings of unit length; choose tower=linear or whitened",
    ),
    "loss of other heads": (
        "train head=triplet training.temperature=0.2",
        "training.temperature: has no effect on triplet; see head.triplet",
    ),
    "batches of other heads": (
        "compare head=[triplet,contrastive] training.batches=table",
        "training.batches: has no effect on triplet, contrastive; see head.triplet",
    ),
    "size of batches of pairs": (
        "train head=triplet training.batch_size=512",
        "training.batch_size: has no effect on the batches of triplet; choose training.places_per_",
    ),
    "size of batches of places": (
        "compare head=[contrastive,infonce] training.places_per_batch=64",
        "choose training.batch_size, training.batches_per_epoch",
    ),
    "views in batches of copies": (
        "train head=infonce edits=mls training.views_per_place=8",
        "training.views_per_place: has no effect on the batches of infonce",
    ),
    "one photo a batch": (
        "train head=infonce edits=mls training.batch_size=1",
        "training.batch_size=1: infonce learns from other photos of the batch; give 2 or more",
    ),
    "monitor of other heads": (
        "compare head=[triplet,contrastive] training.monitor=loss",
        "which is not what triplet trains by; give training.monitor=average_precision",
    ),
    "pairs that nobody trains on": (
        "train head=triplet training=table sampling.train.max_negatives=5",
        "sampling.train.max_negatives: head=triplet trains on no table of pairs",
    ),
    "decoding of no photos": (
        "compare data=folder data.root=R bank.decoding=reduced",
        "bank.decoding=reduced: has no effect without unlabelled=FOLDER; leave it out",
    ),
    "rows of no backbone": (
        "pairs bank.dtype=float16",
        "bank.dtype=float16: no photo passes a backbone here, so it has no effect; leave it out",
    ),
    "bank without a name": (
        "card data=folder data.root=R bank.folder=''",
        "bank.folder='': give a folder, or null to keep nothing",
    ),
    "wrong mining of triplets": (
        "train data=folder data.root=R head=triplet head.triplet.mining=hard",
        "head.triplet.mining='hard': Input should be 'semi_hard', 'batch_hard' or 'all'",
    ),
    "wrong edit": ("compare data=folder data.root=R edits.train=[smear]", "watermark"),
    "edits as text": (
        "compare data=folder data.root=R edits.train=crop",
        "edits.train='crop': give a list, as in edits.train=[crop]",
    ),
    "too many folds": ("compare data=folder data.root=R folds=99", "folds=99: choose 3 to 20"),
    "pickle": ("compare --experimental-rerun config.pickle", "opens a pickle"),
    "unknown config folder": ("compare --config-dir nowhere", "nowhere' not found"),
    "unreadable config": ("compare --config-dir broken data=torn", "a config cannot be read"),
    "binary config": ("compare --config-dir broken data=binary", "a config cannot be read"),
    "wrong data setting": ("prepare data.train_places=many", "data.train_places='many': Input"),
    "wrong optimizer": ("train data=folder data.root=R optimizer.lr=-1", "optimizer.lr=-1: a num"),
    "negative seed": ("compare data=folder data.root=R seed=-1", "seed=-1: Input should be gr"),
    "large seed": ("compare data=folder data.root=R seed=2147483648", "less than or equal to 21"),
    "no epochs": ("train data=folder data.root=R training.epochs=0", "training.epochs=0: Input s"),
    "endless": ("train data=folder data.root=R training.epochs=-1", "training.epochs=-1: Input"),
    "empty batch": ("train data=folder data.root=R training.batch_size=0", "batch_size=0: Input"),
    "no batches": (
        "train data=folder data.root=R training.batches_per_epoch=0",
        "training.batches_per_epoch=0: Input should be greater",
    ),
    "cold": ("train data=folder data.root=R training.temperature=0", "temperature=0: Input"),
    "diverges": (
        "train data=folder data.root=R optimizer.lr=1e30 training.batches_per_epoch=2 workers=1",
        "training diverged at epoch 1: lower optimizer.lr",
    ),
    "wrong head setting": (
        "train data=folder data.root=R head=concat head.concat.dropout=2",
        "head.concat.dropout=2: Input should be less than 1",
    ),
    "head without settings": ("train data=folder data.root=R head.l2=5", "head.l2=5: choose its"),
    "added head setting": (
        "train data=folder data.root=R head.l2.start_scale=x",
        "head.l2.start_scale='x': Input should be a valid number",
    ),
    "unknown head setting": (
        "train head=concat head.concat.width=3",
        "no key 'head.concat.width': choose one of cosine_start, dropout, hidden, symmetric",
    ),
    "key of a value": ("train seed.x=3", "seed"),
    "keys of the chosen data set": ("prepare data=folder data.rot=x", "(did you mean root?)"),
    "no such data class": (
        "prepare data=folder data.root=R data._target_=seentwice.data.flats.FlatsSource",
        "data._target_=seentwice.data.flats.FlatsSource: No module named",
    ),
    "no data class": (
        "prepare data=folder data.root=R data._target_=os.path.join",
        "data._target_=os.path.join: not a data set",
    ),
    "no data target": ("prepare data=folder data.root=R ~data._target_", "data names no class"),
    "photos of listings": (
        "compare data=listings data.items=items.csv",
        "data=listings holds listings, not photos: choose one of ",
    ),
    "training on text": (
        "train data=text_pairs data.root=x",
        "catalogue, folder, fronts, house_fronts, houses, rooms, tags_csv",
    ),
    "no catalogue": ("prepare data=catalogue", "data.file needs a value: give data.file=VALUE"),
    "missing catalogue": ("prepare data=catalogue data.file=p.csv", "'p.csv': cannot be read"),
    "wrong column": (
        "prepare data=catalogue data.columns.phtos=images",
        "no key 'data.columns.phtos' (did you mean photos?)",
    ),
    "no id column": ("prepare data=catalogue data.file=p data.columns.id=null", "columns.id: name"),
    "wrong limit": (
        "prepare data=catalogue data.file=p data.download.threads=0",
        "data.download.threads=0: must be above 0",
    ),
    "limit that is none": (
        "prepare data=catalogue data.file=p data.download.retries=often",
        "data.download.retries='often': Input should be",
    ),
    "no items": ("prepare data=listings", "data.items needs a value: give data.items=VALUE"),
    "wrong template": (
        "prepare data=listings data.items=i data.photo_path=x.jpg",
        "data.photo_path='x.jpg': give a path below the photo folder with {id}",
    ),
    "no text pairs": (
        "prepare data=text_pairs data.root=empty",
        "'empty': holds none of train.txt",
    ),
    "seed that is none": (
        "compare data=folder data.root=R seed=x",
        "seed='x': Input should be",
    ),
}


SPLITTING = ("compare", "train", "pairs", "card")
LATE = {
    "workers=-1": ((*SPLITTING, "prepare"), "workers=-1: Input should be greater than or"),
    "max_pixels=0": ((*SPLITTING, "evaluate"), "max_pixels=0: Input should be greater than or"),
    "bank.max_gb=lots": ((*SPLITTING, "evaluate"), "bank.max_gb='lots': Input should be a valid"),
    "split.test_share=1.5": (SPLITTING, "split.test_share=1.5: Input should be less than 1"),
    "unlabelled=nowhere": (("compare", "train"), "nowhere: no such folder; give that of photos of"),
}


@pytest.mark.parametrize(
    ("command", "word"), [(command, word) for word in LATE for command in LATE[word][0]]
)
def test_how_photos_are_read_is_checked_before_they_are_looked_for(
    command: str,
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["data=folder", "data.root=missing", word]
    if command == "evaluate":
        words.append("checkpoint=missing")
    if word.startswith("unlabelled"):
        words += ["backbone=mobilenet_v3_small", "backbone.weights=none"]
    assert main([command, *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert LATE[word][1] in line


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_a_mistake_gives_one_line_and_exit_code_2(
    name: str,
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken" / "data").mkdir(parents=True)
    (tmp_path / "broken" / "data" / "torn.yaml").write_text("root: [unclosed\n")
    (tmp_path / "broken" / "data" / "binary.yaml").write_bytes(b"\x89PNG\xff\xfe\x00")
    words, complaint = MISTAKES[name]
    arguments = [word.replace("root=R", f"root={few_rooms}") for word in words.split()]
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert complaint in lines[0]
    assert lines[0].startswith("seentwice")


def test_an_unknown_flag_gives_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--frobnicate"]) == 2
    assert "unrecognized arguments: --frobnicate" in capsys.readouterr().err


def test_a_store_that_cannot_be_used_is_told_before_photos_are_read(
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "foo://x")
    monkeypatch.setattr(training_job, "load_photos", None)
    words = ["data=folder", f"data.root={few_rooms}", f"hydra.run.dir={tmp_path}"]
    assert main(["train", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "MLflow store foo://x: " in line
