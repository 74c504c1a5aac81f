"""`python -m hpo_lab` is the command `hpo-lab`."""

from hpo_lab.cli import main

if __name__ == "__main__":
    main()
