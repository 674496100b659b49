/* Prints where `make order` finds things in the memory of a traced process, a line for each: STRUCT.MEMBER OFFSET.
 *
 * The build compiles it with CPython's headers and runs it: freezing/profiling/memory.py reads what it prints.
 */
#include "snapshot.h"

#include "internal/pycore_frame.h"

#include <stdio.h>

#define PRINT(structure, member) printf(#structure "." #member " %zu\n", offsetof(structure, member))

int main(void)
{
    typedef struct snapshot Snapshot;
    PRINT(Snapshot, thread);
    PRINT(PyThreadState, cframe);
    PRINT(_PyCFrame, current_frame);
    PRINT(_PyInterpreterFrame, f_code);
    PRINT(PyCodeObject, co_filename);
    PRINT(PyCodeObject, co_qualname);
    PRINT(PyObject, ob_type);
    PRINT(PyTypeObject, tp_name);
    PRINT(PyASCIIObject, length);
    printf("PyASCIIObject.characters %zu\n", sizeof(PyASCIIObject)); /* unicodeobject.h: the data follows at once */
    return 0;
}
