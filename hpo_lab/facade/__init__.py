"""One way to experiments for everything that a person uses: find, list, run, handle.

Magics, command line, Python and displays stand on this room; it knows none of them.
"""
