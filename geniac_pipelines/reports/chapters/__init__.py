"""Chapters, one module an area. A chapter is built on an audience's view and knows no other."""
