"""The asset graph: one module an area. A body is read → one call into the core → write → result."""
