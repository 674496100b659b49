/* Reads and writes in all the ways that tests/frozen/test_tracing.py asks for: the tracer must see them. */
	.globl	_start
_start:
	mov	direct, %rax			/* by an address, */
	mov	relative(%rip), %rax		/* relative to the instruction, */
	mov	$array, %ebx
	mov	$3, %ecx
	cmpq	$0, 8(%rbx)			/* to a register, */
	mov	%rax, (%rbx,%rcx,8)		/* and to two */
	incq	changed
	call	*pointer
back:	lea	40(%rbx), %r8			/* not read */
	mov	$copied, %esi
	mov	$array + 48, %edi
	mov	$1, %ecx
	rep movsb				/* once, */
	mov	$unused, %edi
	rep stosb				/* and not at all */
	mov	$21, %eax			/* access( */
	mov	$path, %edi			/*   read by the kernel, */
	xor	%esi, %esi			/*   F_OK) */
	syscall
	mov	$58, %eax			/* vfork() */
	syscall
	test	%eax, %eax
	jz	child
	mov	$61, %eax			/* wait4( */
	mov	$-1, %rdi			/*   for it, */
	xor	%esi, %esi
	xor	%edx, %edx			/*   till its end, */
	xor	%r10d, %r10d
	syscall
	mov	$60, %eax			/* exit(0) */
	xor	%edi, %edi
	syscall
child:	movb	$1, by_child
	mov	$59, %eax			/* execve( */
	mov	$path, %edi			/*   what is there, */
	xor	%esi, %esi
	xor	%edx, %edx
	syscall
	mov	%eax, not_reached
jumped:	add	$8, %rsp
	jmp	back

	.data
path:		.asciz	"/bin/true"
		.balign	8
direct:		.quad	0
relative:	.quad	0
pointer:	.quad	jumped
copied:		.quad	0
changed:	.quad	0
unused:		.quad	0
by_child:	.quad	0
not_reached:	.quad	0
array:		.skip	64
	.section .note.GNU-stack,"",@progbits
