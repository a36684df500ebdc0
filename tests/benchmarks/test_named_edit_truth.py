import pytest
from named_edit_truth import is_named_rightly

SIZE = (400, 300)


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ("same frame", "jpeg:50"),
        ("mirrored", "hflip"),
        ("cropped to 79 %, scaled to 112 %", "crop:0,0,0.9"),
        ("cropped to 96 %, rotated 5.8° to the right", "rotate:-5"),
        ("scaled to 48 %, warmer colours", "resize:0.5|cast:0.2"),
        ("overlay at top left, 3 % of the photo", "logo:0,0,0.2"),
        ("bar at top and bottom, 85 % of the picture, blurred", "screenshot:0.1,0.1,0|blur:0.005"),
    ],
)
def test_a_name_that_says_what_was_done_is_right(named, text):
    assert is_named_rightly(named, text, SIZE)


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ("same frame", "hflip"),
        ("mirrored", "jpeg:50"),
        ("cropped to 87 %, scaled to 111 %", "crop:0,0,0.9"),
        ("cropped to 81 %", "crop:0,0,0.9"),
        ("cropped to 96 %, rotated 5.0° to the left", "rotate:-5"),
        ("scaled to 50 %, colder colours", "resize:0.5|cast:0.2"),
        ("overlay at bottom left, 3 % of the photo", "logo:0,0,0.2"),
        ("overlay at top left, 3 % of the photo", "jpeg:50"),
        ("same frame", "logo:0,0,0.2"),
        ("in a border, 85 % of the picture", "screenshot:0.1,0.1,0"),
    ],
)
def test_a_name_that_says_less_more_or_something_else_is_wrong(named, text):
    assert not is_named_rightly(named, text, SIZE)
