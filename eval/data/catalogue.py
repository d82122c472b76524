"""What each benchmark is, how its files lie, and who publishes it under which terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from eval.benchmarks.base import Benchmark


@dataclass(frozen=True)
class Entry:
    """what: in one sentence; layout: what --path and --images are to be; options: what --option knows
    published: by whom and where; licence: as its owners state it
    """

    what: str
    layout: str
    published: str
    licence: str
    options: str = ""


_SHOWN = ("what", "layout", "options", "published", "licence")

CATALOGUE: dict[str, Entry] = {
    "agentnetbench": Entry(
        "Desktop tasks recorded by people, with alternatives for many steps; scored softly, position by position.",
        "--path FOLDER: <task>.json, one trajectory each\n--images FOLDER: <task>_<step>.png; else FOLDER/images",
        "XLANG Lab with OpenCUA: GitHub xlang-ai/OpenCUA, evaluation/agentnetbench (sample tasks)",
        "MIT",
        "history=thought|instruction|both: what the recorded history says of a step",
    ),
    "androidcontrol": Entry(
        "Tasks in Android applications, with accessibility trees; scored by box, by distance, and by wider boxes.",
        "--path FOLDER or one of these in it: 500_steps.json, AndroidControl_processed_test_steps.json (OSU NLP);\n"
        "*.jsonl of episodes (UI-S1); android_control-* (TFRecord, as published)\n"
        "--images FOLDER: the images by the names in the annotation; else FOLDER/AndroidControl_images (OSU NLP) or\n"
        "FOLDER/images (UI-S1); TFRecord files hold their images\n"
        "splits: android_control_test_subsplits.json (OS-Atlas) beside them",
        "Google Research: gs://gresearch/android_control (TFRecord)\n"
        "processed by OSU NLP: HF demisama/UGround-Offline-Evaluation",
        "CC BY 4.0",
        "level=high|low: the goal alone, or each step's instruction as well",
    ),
    "mind2web": Entry(
        "Multimodal-Mind2Web: tasks on real websites, with boxes of the right elements; scored by element and F1.",
        "--path FOLDER: cross_domain_blocks.jsonl, cross_task_blocks.jsonl, cross_website_blocks.jsonl (OSU NLP's\n"
        "blocks); or test_<split>*.parquet, also in FOLDER/data (as published)\n"
        "--images FOLDER: cross_<split>/<task>_<action>/<block>.png; parquet files hold their images",
        "OSU NLP: HF osunlp/Multimodal-Mind2Web (parquet)\n"
        "in blocks of 1280x1000: HF demisama/UGround-Offline-Evaluation",
        "OpenRAIL; its authors ask not to pass on the unpacked test data",
        "history=session|text|release: one session for a task; each step alone, the steps before it told as text;\n"
        "the same with the release's stale texts",
    ),
    "screenspot_v2": Entry(
        "Single screenshots of phones, desktops and websites with an element to click; scored by box.",
        "--path FOLDER: screenspot_mobile_v2.json, screenspot_desktop_v2.json, screenspot_web_v2.json\n"
        "--images FOLDER: their images; else FOLDER/screenspotv2_image",
        "OS-Copilot: HF OS-Copilot/ScreenSpot-v2",
        "Apache-2.0",
    ),
    "screenspot_pro": Entry(
        "Single high-resolution screenshots of professional software with an element to click; scored by box.",
        "--path FOLDER: annotations/<application>.json\n--images FOLDER: their images; else FOLDER/images",
        "Kaixin Li and others: HF likaixin/ScreenSpot-Pro",
        "as its page states",
        "language=en|cn: of the instructions",
    ),
    "aitz": Entry(
        "Android in the Zoo: a part of AITW with descriptions of every step.",
        "--path FOLDER: a file of steps for each episode, *.json\n--images FOLDER: the images that they name",
        "IMNearth: GitHub IMNearth/CoAT",
        "Apache-2.0",
    ),
    "webvoyager": Entry(
        "Browsing episodes that a model played on real websites; what it did is what is compared with.",
        "--path FOLDER: a folder for each task with interact_messages.json and screenshot<N>.png",
        "MinorJerry: GitHub MinorJerry/WebVoyager",
        "Apache-2.0",
    ),
    "playground": Entry(
        "This project's own pages, where the model that ships with it is at home; scored by box and by text.",
        "--path FOLDER: <task>.jsonl with the images beside; python -m envs.playground.episodes writes them",
        "with this project",
        "Apache-2.0",
    ),
}


def entries(benchmarks: Mapping[str, Benchmark]) -> dict[str, dict[str, str]]:
    """What `guikv data list` says of each: label → text, without what there is not."""
    listed = {}
    for name, benchmark in benchmarks.items():
        annotations, images = benchmark.environment_variables
        variables = f"{annotations} (annotations), {images} (images)" if annotations else ""
        entry = asdict(CATALOGUE[name]) if name in CATALOGUE else {}
        facts = {label: entry.get(label, "") for label in _SHOWN}
        listed[name] = {label: text for label, text in {**facts, "variables": variables}.items() if text}
    return listed
