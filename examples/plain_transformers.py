"""Only the method, on a plain transformers model: the prompt is prefilled, then its cache is compressed once.

python examples/plain_transformers.py
"""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from guikv import GuiKV, compress, load_model

PAGE = Path(__file__).parents[1] / "tests" / "data" / "nano_pages" / "click-0090300.png"


def main() -> None:
    adapter = load_model("nano")
    model, tokenizer, processor = adapter.model, adapter.tokenizer, adapter.processor
    with Image.open(PAGE, formats=("PNG",)) as image:
        picture = processor(images=[image.convert("RGB")], return_tensors="pt")
    grid = picture["image_grid_thw"][0]
    tokens = int(grid.prod()) // processor.merge_size**2
    prompt = f"<|im_start|>user\n<|vision_start|>{'<|image_pad|>' * tokens}<|vision_end|>Look.<|im_end|>\n"
    ids = tokenizer(prompt + "<|im_start|>assistant\n", return_tensors="pt", add_special_tokens=False)["input_ids"]
    with compress(model, GuiKV(), budget="20%"), torch.inference_mode():
        out = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=16, do_sample=False, **picture
        )
    print(f"{ids.shape[1]} tokens of prompt, {out.shape[1] - ids.shape[1]} written over the compressed cache:")
    print(tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True))


if __name__ == "__main__":
    main()
