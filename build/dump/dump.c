/* Build mode, `STAGE MODULES ORDER SITES SNAPSHOT BLOCKS`: start Python, import the program and write the snapshot.
 *
 * MODULES (freezing/modules.py) is a sequence of records: a line "WP SIZE NAME", then SIZE bytes of marshalled code. W
 * is "b" for a part of the import system, "i" for a module to import now (the program comes last) and "-" for a module
 * that others may import; P is "p" for a package, else "-". A module that nothing imports leaves no trace in the
 * finished file. ORDER is described in heap_layout.c, SITES in specialize.c. Into BLOCKS goes an array of struct block
 * with all that malloc has given, for `make order`.
 */
#define _GNU_SOURCE
#include "snapshot.h"

#include "internal/pycore_import.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_MODULES = 1000 };

extern int _PySignal_Init(int install_signal_handlers);

/* These replace CPython's Python/frozen.c: tables that are filled from MODULES, and are empty in the snapshot. */
static struct _frozen bootstrap[3];
static const struct _frozen none[1];
static const struct _module_alias aliases[] = {
    {"_frozen_importlib", "importlib._bootstrap"},
    {"_frozen_importlib_external", "importlib._bootstrap_external"},
    {NULL, NULL},
};
const struct _frozen *_PyImport_FrozenBootstrap = bootstrap;
const struct _frozen *_PyImport_FrozenStdlib = none;
const struct _frozen *_PyImport_FrozenTest = none;
const struct _frozen *PyImport_FrozenModules = none;
const struct _module_alias *_PyImport_FrozenAliases = aliases;

/* These replace Modules/getpath.c, which would search for paths, and the deep-frozen modules. */
PyStatus _PyConfig_InitPathConfig(PyConfig *config, int compute_path_config)
{
    (void)config, (void)compute_path_config;
    return PyStatus_Ok();
}

int _Py_Deepfreeze_Init(void)
{
    return 0;
}

void _Py_Deepfreeze_Fini(void)
{
}

static void check_status(PyStatus status)
{
    if (PyStatus_Exception(status)) {
        pyinit_fail("build", status.err_msg == NULL ? "Python does not start" : status.err_msg);
    }
}

static wchar_t *copy_wide_string(const wchar_t *text)
{
    wchar_t *memory = PyMem_RawMalloc((wcslen(text) + 1) * sizeof *text);
    if (memory == NULL) {
        pyinit_fail("build", "no memory");
    }
    return wcscpy(memory, text);
}

/* Return zeroed memory outside of the snapshot. */
static void *allocate_pages(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        pyinit_fail("build", strerror(errno));
    }
    return memory;
}

char *pyinit_map(const char *path, size_t *size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (file < 0 || fstat(file, &facts) < 0) {
        pyinit_fail(path, strerror(errno));
    }
    *size = facts.st_size;
    /* one byte more, because an empty file cannot be mapped */
    char *content = mmap(NULL, *size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (content == MAP_FAILED) {
        pyinit_fail(path, strerror(errno));
    }
    close(file);
    return content;
}

/* Fill the tables; return the names to import, with NULL at the end. */
static const char **read_modules(const char *path)
{
    const char **wanted = allocate_pages((MOST_MODULES + 1) * sizeof *wanted);
    struct _frozen *modules = allocate_pages((MOST_MODULES + 1) * sizeof *modules);
    PyImport_FrozenModules = modules;

    size_t whole;
    char *at = pyinit_map(path, &whole);
    int bootstraps = 0, count = 0, wishes = 0;
    for (char *end = at + whole; at < end;) {
        char flag = at[0];
        bool is_package = at[1] == 'p';
        char *name, *code = memchr(at, '\n', end - at);
        int size = strtol(at + 2, &name, 10);
        if (code == NULL || count == MOST_MODULES || (flag == 'b' && bootstraps == 2)) {
            pyinit_fail(path, "not a table of modules");
        }
        *code++ = '\0';
        name++; /* the space */
        struct _frozen *entry = flag == 'b' ? &bootstrap[bootstraps++] : &modules[count++];
        *entry = (struct _frozen){name, (unsigned char *)code, size, is_package, NULL};
        if (flag == 'i') {
            wanted[wishes++] = name;
        }
        at = code + size;
    }
    return wanted;
}

/* Start an interpreter that takes nothing from the environment: no variables, paths, site or standard streams. */
static void start_python(void)
{
    PyPreConfig early;
    PyPreConfig_InitIsolatedConfig(&early);
    early.utf8_mode = 1;
    check_status(Py_PreInitialize(&early));

    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.write_bytecode = 0;
    config.install_signal_handlers = 0;
    config.pathconfig_warnings = 0;
    config.parse_argv = 0;
    config.use_hash_seed = 1; /* the hashes of strings are in the snapshot */
    config.hash_seed = 0;
    config.optimization_level = 2;
    config.module_search_paths_set = 1;
    config.program_name = copy_wide_string(L"pyinit");
    config.executable = copy_wide_string(L"");
    config.base_executable = copy_wide_string(L"");
    config.prefix = copy_wide_string(L"");
    config.base_prefix = copy_wide_string(L"");
    config.exec_prefix = copy_wide_string(L"");
    config.base_exec_prefix = copy_wide_string(L"");
    config._init_main = 0; /* the rest of the start would search for files and open the standard streams */
    check_status(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
    check_status(_PyUnicode_InitEncodings(PyThreadState_Get()));
    if (_PySignal_Init(0) < 0) {
        pyinit_fail_with_exception("build");
    }
}

static void call_function(const char *module, const char *function)
{
    PyObject *owner = PyImport_ImportModule(module);
    PyObject *result = owner == NULL ? NULL : PyObject_CallMethod(owner, function, NULL);
    if (result == NULL) {
        pyinit_fail_with_exception(function);
    }
    Py_DECREF(result);
    Py_DECREF(owner);
}

/* Bring the interpreter into the state in which every run begins, so that a run makes and writes little. */
static void prepare_snapshot(const char *sites_path)
{
    pyinit_snapshot.arguments = PyList_New(0);
    if (pyinit_snapshot.arguments == NULL || PySys_SetObject("argv", pyinit_snapshot.arguments) < 0) {
        pyinit_fail_with_exception("build");
    }
    call_function("gc", "collect");
    call_function("gc", "freeze");
    if (pyinit_specialize != NULL) {
        pyinit_specialize(sites_path);
    }
    call_function("sys", "_clear_type_cache"); /* or each new entry would touch an old name, anywhere in the arena */
    if (pyinit_fill_lazy_fields != NULL) {
        pyinit_fill_lazy_fields();
    }
    PyGC_Collect(); /* also empties the free lists, whose objects lie anywhere in the arena */
}

/* Clear what belongs to this process: it would be wrong in the next one, and differ between two builds. */
static void forget_process(void)
{
    memset(bootstrap, 0, sizeof bootstrap);
    PyImport_FrozenModules = none;
    pyinit_snapshot.thread->thread_id = 0;
    pyinit_snapshot.thread->native_thread_id = 0;
    _PyRuntime.main_thread = 0;
    _PyRuntime.gilstate.autoTSSkey = (Py_tss_t)Py_tss_NEEDS_INIT;
}

static void write_file(const char *path, const void *begin, const void *end)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        pyinit_fail(path, strerror(errno));
    }
    for (const char *at = begin; at < (const char *)end;) {
        ssize_t written = write(file, at, (const char *)end - at);
        if (written <= 0) {
            pyinit_fail(path, strerror(errno));
        }
        at += written;
    }
    close(file);
}

static void write_blocks(const char *path)
{
    size_t count = pyinit_arena_blocks(NULL);
    struct block *blocks = allocate_pages(count * sizeof *blocks);
    pyinit_arena_blocks(blocks);
    write_file(path, blocks, blocks + count);
}

_Noreturn void pyinit_build(int argc, char **argv)
{
    if (argc != 6) {
        pyinit_fail("build", "this file holds no program: usage: STAGE MODULES ORDER SITES SNAPSHOT BLOCKS");
    }
    const char *modules_path = argv[1], *order_path = argv[2], *sites_path = argv[3];
    const char *snapshot_path = argv[4], *blocks_path = argv[5];
    clearenv();
    pyinit_layout_read(order_path);
    pyinit_arena_open();
    const char **wanted = read_modules(modules_path);
    start_python();
    PyObject *module = NULL;
    for (int i = 0; wanted[i] != NULL; i++) {
        Py_XSETREF(module, PyImport_ImportModule(wanted[i]));
        if (module == NULL) {
            pyinit_fail_with_exception(wanted[i]);
        }
    }
    pyinit_snapshot.program = PyObject_GetAttrString(module, "main"); /* the program is the last one */
    if (pyinit_snapshot.program == NULL) {
        pyinit_fail_with_exception("build");
    }
    Py_DECREF(module);
    pyinit_snapshot.thread = PyThreadState_Get();
    prepare_snapshot(sites_path);
    forget_process();
    pyinit_arena_make_immortal();
    write_blocks(blocks_path);
    pyinit_layout_close();
    write_file(snapshot_path, pyinit_snapshot_start, pyinit_arena_seal());
    _exit(0);
}
