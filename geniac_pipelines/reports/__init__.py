"""Documents that people read: one module a document, and the renderers that all share.

Here: the document model, PDF, HTML and workbook renderers, chapters. Not here: the numbers
(they come as figures) and who gets what by when (that is `alerts`).
"""
