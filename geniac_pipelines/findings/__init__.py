"""What somebody must act on: judgements of rules, followed from opening to resolution.

Here: the words (`model`), what a night's examination makes of them (`lifecycle`), what people
decided and what may therefore leave the secretariat (`standing`), the ledger's statements
(`store`), the desk of the command line (`desk`). Not here: the rules, which are dbt models of
schema `findings`, and telling people (`geniac_pipelines.alerts`).
"""
