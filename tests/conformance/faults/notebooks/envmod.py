class Counter2:
    def __init__(self):
        self.n = 0

    def count(self):
        self.n += 1
