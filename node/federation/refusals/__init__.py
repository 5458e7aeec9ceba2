"""What one city did not keep of another's, said on both sides.

`reports` tells an origin which entries this node refuses and which erasures it has obeyed; `refusals` keeps what
mirrors told us of ours; `office` shows both side by side.
"""
