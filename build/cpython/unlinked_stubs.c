/* Stubs for parts of CPython that a program without eval(), open() and shared libraries never calls.
 *
 * The linker takes these instead of the archive's members that define the functions, and so leaves out all that those
 * members would pull in: the parser, the compiler, the io module. A stub that is called after all ends the program with
 * its name. Build mode imports bytecode, so it needs no compiler either.
 */
/* Python's headers are not included: the stubs have no parameters. fail.c defines this one. */
_Noreturn void pyinit_fail(const char *what, const char *why);

#define ABSENT(name)                                            \
    _Noreturn void name(void);                                  \
    _Noreturn void name(void)                                   \
    {                                                           \
        pyinit_fail("internal error: not in this file", #name); \
    }

/* the parser */
ABSENT(_PyParser_ASTFromFile)
ABSENT(_PyParser_ASTFromString)
ABSENT(_PyPegen_byte_offset_to_character_offset)
ABSENT(_PyTokenizer_FindEncodingFilename)
ABSENT(PyOS_Readline)

/* syntax trees and the compiler */
ABSENT(_PyArena_Free)
ABSENT(_PyArena_New)
ABSENT(_PyAST_Compile)
ABSENT(_PyAST_Fini)
ABSENT(_PyAST_Optimize)
ABSENT(_PyAST_Validate)
ABSENT(PyAST_Check)
ABSENT(PyAST_mod2obj)
ABSENT(PyAST_obj2mod)
ABSENT(PyCompile_OpcodeStackEffect)

/* files */
ABSENT(_PyIO_Fini)
ABSENT(_PyImport_LoadDynamicModuleWithSpec)

/* Python's own command line */
ABSENT(_PyOS_GetOpt)
ABSENT(_PyOS_ResetGetOpt)

/* diagnosis of Python itself */
ABSENT(_PyFaulthandler_Fini)
ABSENT(_PyFaulthandler_Init)
ABSENT(_PyMem_DumpTraceback)
ABSENT(_PyTraceMalloc_Fini)
ABSENT(_PyTraceMalloc_Init)
ABSENT(_PyTraceMalloc_NewReference)

/* names and addresses of hosts: init's only sockets are local ones */
ABSENT(freeaddrinfo)
ABSENT(gai_strerror)
ABSENT(getaddrinfo)
ABSENT(gethostbyaddr_r)
ABSENT(gethostbyname_r)
ABSENT(getnameinfo)
ABSENT(getprotobyname)
ABSENT(getservbyname)
ABSENT(getservbyport)
