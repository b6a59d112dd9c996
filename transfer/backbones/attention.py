"""Where the attention of a block can be looked at and added to: layers whose names end as below, and do nothing else.

A block for texts passes its keys and values, shape (n, heads, tokens, d), and what shuts tokens out, shape (n, 1, 1 or
tokens, tokens), through an Identity of that name, and makes its weights by a Softmax of that name. A strategy may put
more keys and values in front there; an inspection may read the weights.
"""

from __future__ import annotations

KEYS, VALUES, SHUT, WEIGHTS = "_attention_keys", "_attention_values", "_attention_shut", "_attention_weights"
