/* Tell setproctitle where the arguments lie. This replaces its spt_setup.c.
 *
 * That file searches for the arguments with the help of Python and /proc; here they are known, and an empty environment
 * does no harm. The title overwrites the arguments but not the environment behind them, which
 * other programs read in /proc/1/environ (cron jobs, ssh sessions, systemd-detect-virt).
 */
#include "snapshot.h"

#include <spt_setup.h>
#include <spt_status.h>
#include <string.h>

/* setproctitle calls this instead of getenv (freezing/link.py). SPT_NOENV makes it leave the environment alone.
 * Variables that are really set, such as SPT_DEBUG, are meant for the payload. */
char *pyinit_setproctitle_variable(const char *name)
{
    return strcmp(name, "SPT_NOENV") == 0 ? "1" : NULL;
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
