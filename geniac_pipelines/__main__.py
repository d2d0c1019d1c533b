"""`python -m geniac_pipelines …` is `geniac …`."""

from geniac_pipelines.cli import main

main()
