"""Thin typed wrappers that hand core objects to assets. No logic of their own."""
