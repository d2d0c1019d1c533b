"""A made-up GENIAC programme in the real formats, of any size, from a seed.

Here: invented organisations, their jobs, the files they would hand in, planted faults, and the
truth of it all, computed from the jobs themselves. Not here: any reader of the platform; a sample
that was checked by what it is meant to check would prove nothing.
"""
