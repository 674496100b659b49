/* Tells setproctitle where the arguments lie, in place of its own spt_setup.c.
 *
 * That file searches for the arguments from what Python and /proc tell; here they are simply known. It also makes it
 * work with an empty environment. The first call moves the environment elsewhere, because the title is written over
 * arguments and environment: `environ` and getenv() stay right.
 */
#include "snapshot.h"

#include <spt_setup.h>
#include <spt_status.h>

/* What setproctitle calls for getenv (freezing/link.py): its variables, SPT_DEBUG and SPT_NOENV, are the payload's. */
char *pyinit_no_variable(const char *name)
{
    (void)name;
    return NULL;
}

int spt_setup(void)
{
    static int done;
    if (!done) {
        if (pyinit_argc == 0) {
            return -1;
        }
        save_ps_display_args(pyinit_argc, pyinit_argv);
        init_ps_display("");
        done = 1;
    }
    return 0;
}
