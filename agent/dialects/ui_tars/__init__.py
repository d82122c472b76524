"""The dialect of UI-TARS 1.0, 1.5 and Doubao 1.5 UI-TARS."""
