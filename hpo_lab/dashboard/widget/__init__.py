"""The dashboard of an experiment as a widget in a notebook.

`board` is what it shows and does, as pieces of HTML made in Python; `dashboard` brings the
pieces that changed to the front end, where `widget.js` puts them into their places.
"""
