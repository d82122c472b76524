"""Multimodal-Mind2Web: tasks on real web pages, as UGround's blocks or as the published parquet files."""
