"""The words that playground pages show: labels of controls, names of fields, and codes to remember.

Every entry is one capitalised alphabetic word of at most ten letters, so that a label, the instruction that names it
and the thought of the small model that ships are one token each. It reads exactly these words.
"""

from __future__ import annotations

ACTIONS: tuple[str, ...] = (
    "Save", "Cancel", "Search", "Next", "Back", "Submit", "Delete", "Edit", "Open", "Close",
    "Send", "Reply", "Forward", "Print", "Share", "Copy", "Paste", "Cut", "Undo", "Redo",
    "Upload", "Download", "Refresh", "Reset", "Apply", "Confirm", "Continue", "Start", "Stop", "Pause",
    "Play", "Add", "Remove", "Create", "Update", "Filter", "Sort", "Login", "Logout", "Register",
    "Buy", "Order", "Pay", "Book", "Rent", "Compare", "Follow", "Like", "Accept", "Decline",
)  # fmt: skip

PLACES: tuple[str, ...] = (
    "Home", "Help", "Settings", "Profile", "About", "Contact", "News", "Blog", "Shop", "Cart",
    "Account", "Inbox", "Drafts", "Archive", "Trash", "Calendar", "Photos", "Videos", "Music", "Files",
    "Reports", "Users", "Teams", "Projects", "Tasks", "Events", "Maps", "Weather", "Sports", "Travel",
    "Privacy", "Terms", "Support", "Forum", "Gallery", "Careers",
)  # fmt: skip

FIELDS: tuple[str, ...] = (
    "Name", "Email", "City", "Phone", "Address", "Date", "Company", "Country", "Password", "Street",
    "Title", "Age", "State", "Website",
)  # fmt: skip

COLOURS: tuple[str, ...] = (
    "Red", "Green", "Blue", "Yellow", "Orange", "Purple", "Pink", "Brown", "Black", "White",
)  # fmt: skip

ANIMALS: tuple[str, ...] = (
    "Cat", "Dog", "Horse", "Tiger", "Lion", "Bear", "Wolf", "Eagle", "Rabbit", "Dolphin",
)  # fmt: skip

CODES: tuple[str, ...] = COLOURS + ANIMALS
"""Words a page shows as a code that a later page asks for."""

WORDS: tuple[str, ...] = ACTIONS + PLACES + FIELDS + CODES
"""Every label word, in one fixed order: the order is part of the shipped model's tokenizer."""

STATUS: tuple[str, ...] = ("Done", "Code", "Welcome")
"""Words that pages show as text but that are never the label of a control."""
