"""All rows: of reductions, arrays, matrices and complex numbers."""

import rows_of_arrays  # noqa: F401
import rows_of_complex  # noqa: F401
import rows_of_matrices  # noqa: F401
import rows_of_reductions  # noqa: F401
from rows import complex_rows as complex_rows
from rows import rows as rows
