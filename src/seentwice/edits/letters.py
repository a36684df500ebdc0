"""Letters from the bitmap font inside Pillow: the same pixels wherever FreeType is another."""

from PIL import Image, ImageDraw, ImageFont


def draw_letters(words: str, beside_px: int, above_px: int) -> Image.Image:
    """Draw white letters on black with margins: L, 11 px high and 6 px wide each."""
    font = ImageFont.load_default_imagefont()
    _, _, width, height = font.getbbox(words)
    letters = Image.new("L", (int(width) + 2 * beside_px, int(height) + 2 * above_px), 0)
    ImageDraw.Draw(letters).text((beside_px, above_px), words, fill=255, font=font)
    return letters


def fit_letters(letters: Image.Image, room: tuple[int, int]) -> Image.Image:
    """Scale letters to the largest size that fits into a room of (width, height) px."""
    scale = min(room[0] / letters.width, room[1] / letters.height)
    size = (max(1, round(scale * letters.width)), max(1, round(scale * letters.height)))
    return letters.resize(size, Image.Resampling.BICUBIC)
