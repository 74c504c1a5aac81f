"""Cells whose outputs a fork has to give as a kernel does, by what they are about."""

from __future__ import annotations

CELLS = {
    "what came before": "_i, _ii, _iii",
    "print": "print('one'); print('two')",
    "print without end": "print('a', end=''); print('b', end='')",
    "both streams": "import sys\nprint('out'); print('err', file=sys.stderr); print('out again')",
    "flushed streams": (
        "import sys\n"
        "for n in range(3):\n"
        "    print(n, flush=True); print(-n, file=sys.stderr, flush=True)"
    ),
    "streams over time": (
        "import sys, time\n"
        "print('first'); time.sleep(0.5)\n"
        "print('second', file=sys.stderr); time.sleep(0.5)\n"
        "print('third')"
    ),
    "writelines": "import sys\nsys.stdout.writelines(['a\\n', 'b\\n']); sys.stdout.write('c')",
    "result": "{'a': [1, 2], 'b': None}",
    "no result": "None",
    "suppressed result": "40 + 2;",
    "several results": "print('before'); 1\n2\n3",
    "last result": "_",
    "In and Out": "len(In) > 3, sorted(Out)[:1]",
    "folder": "import os\nos.path.basename(os.getcwd()), [str(one) == os.getcwd() for one in _dh]",
    "empty": "   ",
    "comment": "# nothing",
    "pandas": (
        "import pandas as pd\npd.DataFrame({'x': [1, 2], 'y': ['a', 'b']}, index=['p', 'q'])"
    ),
    "numpy": "import numpy as np\nnp.arange(6).reshape(2, 3) / 3",
    "scikit-learn": "from sklearn.linear_model import Ridge\nRidge(alpha=0.5).get_params()",
    "html": "from IPython.display import HTML, display\ndisplay(HTML('<b>bold</b>'))",
    "several displays": (
        "from IPython.display import Markdown\n"
        "print('text'); display(Markdown('*m*')); print('more'); display({'raw': 1})"
    ),
    "raw bundle": (
        "display({'application/json': {'a': (1, 2), 'b': 1.5}, 'text/plain': 'j'}, raw=True)"
    ),
    "image": (
        "from IPython.display import Image\n"
        "Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + bytes(20), format='png')"
    ),
    "display metadata": (
        "display({'text/plain': 'x'}, raw=True, metadata={'text/plain': {'wide': True}})"
    ),
    "updated display": (
        "shown = display('old', display_id='of this cell')\nprint('between'); shown.update('new')"
    ),
    "display to be updated": "later = display('before', display_id='of another cell')",
    "update of another cell": "later.update('after')",
    "repeated display id": (
        "display(1, display_id='twice'); display(2, display_id='twice'); print('end')"
    ),
    "clear output": (
        "from IPython.display import clear_output\n"
        "print('gone'); display('gone too'); clear_output(); print('stays')"
    ),
    "clear output and wait": ("for n in range(4):\n    clear_output(wait=True); print('step', n)"),
    "clear without another": "print('stays'); clear_output(wait=True)",
    "exception": "print('before')\n1 / 0",
    "exception in a function": (
        "def divide(a):\n    return a / 0\n\ndef outer():\n    return divide(3)\n\nouter()"
    ),
    "chained exceptions": (
        "try:\n    {}['key']\nexcept KeyError as error:\n"
        "    raise RuntimeError('second') from error"
    ),
    "custom exception": (
        "class Unusual(Exception):\n    def __str__(self):\n        return 'strange'\n\n"
        "raise Unusual"
    ),
    "syntax error": "print('never'\n",
    "indentation error": "if True:\nx = 1",
    "sys.exit": "import sys\nsys.exit(3)",
    "keyboard interrupt": "raise KeyboardInterrupt",
    "broken repr": (
        "class Broken:\n    def __repr__(self):\n        raise ValueError('no')\n\nBroken()"
    ),
    "input": "input('name? ')",
    "getpass": "import getpass\ngetpass.getpass()",
    "await": "import asyncio\nawait asyncio.sleep(0.01)\nprint('awaited')",
    "awaited result": "async def value():\n    return 7\n\nawait value()",
    "await and fail": "await asyncio.sleep(0)\nraise ValueError('after await')",
    "running loop": "asyncio.get_running_loop().is_running()",
    "asyncio.run": (
        "coroutine = value()\ntry:\n    asyncio.run(coroutine)\nexcept RuntimeError as error:\n"
        "    print(error)\ncoroutine.close()"
    ),
    "task": (
        "did = []\nasync def later():\n    did.append('later')\n\n"
        "task = asyncio.get_event_loop().create_task(later())"
    ),
    "task has run": "did, task.done(), asyncio.get_running_loop() is task.get_loop()",
    "context variable": (
        "import contextvars\nvariable = contextvars.ContextVar('variable')\nvariable.set(1); None"
    ),
    "context variable set": "variable.get()",
    "timeit of nothing": "%%timeit -n1 -r1 -q\nx = 2",
    "names of magics": "config, history, env, run, ls = {}, [], 'e', 'r', [1]",
    "config": "config",
    "environment or variable": "env",
    "alias": "ls",
    "transformer": (
        "import ast\n\nclass Answer(ast.NodeTransformer):\n"
        "    def visit_Constant(self, node):\n"
        "        return ast.copy_location(ast.Constant(42), node) if node.value == 41 else node\n\n"
        "get_ipython().ast_transformers.append(Answer())"
    ),
    "transformed": "print(41)",
    "transformer of text": (
        "get_ipython().ast_transformers.clear()\n"
        "def power(lines):\n    return [line.replace('^', '**') for line in lines]\n\n"
        "get_ipython().input_transformers_cleanup.append(power)"
    ),
    "transformed text": "print(2^10)\nget_ipython().input_transformers_cleanup.remove(power)",
    "warning of the compiler": "(1, 2) is (1, 2)",
    "history": "len(In), In[-2:], _i, get_ipython().execution_count, sorted(Out)[-1:]",
    "future": "from __future__ import annotations\n\ndef future(x: Nothing): ...",
    "after future": "def also(x: Nothing): ...\n\nalso.__annotations__",
    "capture": "%%capture captured\nprint('inside'); display('shown')",
    "captured": "print(captured.stdout); len(captured.outputs)",
    "line magic": "values = %sx echo one\nvalues",
    "shell": "!echo out; echo err >&2",
    "shell result": "found = !printf 'a\\nb\\n'\nfound",
    "bash magic": "%%bash\necho hello\necho problem >&2",
    "failing bash": "%%bash\nexit 3",
    "unknown magic": "%no_such_magic",
    "help": "len?",
    "subprocess": (
        "import subprocess, time\ndone = subprocess.run('echo from below', shell=True)\n"
        "time.sleep(0.5)"
    ),
    "descriptor": "import os\nos.write(1, b'raw\\n'); time.sleep(0.5)",
    "subprocess twice": "os.system('echo one'); os.system('echo two >&2'); time.sleep(0.5)",
    "logging": (
        "import logging\nlog = logging.getLogger('cells')\nlog.warning('careful')\nlog.info('not')"
    ),
    "warnings": "import warnings\nwarnings.warn('careful', UserWarning)",
    "thread": (
        "import threading\n"
        "worker = threading.Thread(target=print, args=('from a thread',))\n"
        "worker.start(); worker.join()"
    ),
    "progress bar": (
        "from tqdm import tqdm\nfor _ in tqdm(range(3), bar_format='{n}/{total}'):\n    pass"
    ),
    "rich": "from rich.table import Table\ntable = Table('a'); table.add_row('1')\ntable",
    "plotly": (
        "import plotly.graph_objects as go\n"
        "display({'application/vnd.plotly.v1+json': {'data': [], 'layout': {}}}, raw=True)"
    ),
    "unicode": "print('größer ≥ 😀'); 'größer'",
    "large output": "print('x' * 300_000)",
    "many lines": "for n in range(3000):\n    print(n)",
    "long result": "list(range(2000))",
    "redirected": (
        "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as text:\n"
        "    print('hidden')\ntext.getvalue()"
    ),
    "multiprocessing": (
        "import multiprocessing\n"
        "fork = multiprocessing.get_context('fork')\n"
        "other = fork.Process(target=print, args=('from a process',), kwargs={'flush': True})\n"
        "other.start(); other.join()"
    ),
    "shell class": "type(get_ipython()).__name__, 'IPKernelApp' in get_ipython().config",
    "name": "__name__, sys.stdout.isatty(), sys.stdout.encoding",
    "environment": "os.environ.get('MPLBACKEND'), os.environ['TERM'], os.environ['PAGER']",
    "path": "sys.path[0], sys.argv[:0]",
    "module beside the notebook": (
        "from pathlib import Path\n"
        "Path('lies_beside.py').write_text('k = 1')\n"
        "import lies_beside, json\n"
        "sys.path.index('') > 0, lies_beside.k, 'site-packages' not in json.__file__"
    ),
    "widget": "import ipywidgets\ntype(ipywidgets.IntSlider()).__name__",
    "time magic": "%time pass",
}
