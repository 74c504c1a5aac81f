"""Running an experiment: the engine's decisions, carried out over a place and recorded.

Nothing here knows where trials run. A place (`hpo_lab.running.place`) starts and ends them
and tells what they report; the store keeps what came of it.
"""
