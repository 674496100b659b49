/* The first instructions of the process: block every signal, then libc's own start.
 *
 * Until PID 1 blocks or handles a signal the kernel drops it (signal(7), "SIGNAL_UNKILLABLE"), so nothing
 * may come before this. The mask that the process was started with is kept: the payload gets exactly that.
 */
	.globl	pyinit_start
	.type	pyinit_start, @function
	.section .text.pyinit_start,"ax",@progbits
pyinit_start:
	mov	$14, %eax			/* rt_sigprocmask( */
	mov	$2, %edi			/*   SIG_SETMASK, */
	lea	every_signal(%rip), %rsi	/*   all 64, */
	lea	pyinit_start_mask(%rip), %rdx	/*   the old mask, */
	mov	$8, %r10d			/*   8 bytes) */
	syscall
	mov	%eax, pyinit_start_error(%rip)	/* 0, or refused: block_signals() in native.c tries again */
	xor	%edx, %edx			/* the ABI's "no function to call at exit" */
	jmp	_start

/* The way back from a signal handler, see signals.c. */
	.globl	pyinit_signal_return
	.type	pyinit_signal_return, @function
	.section .text.pyinit_signal_return,"ax",@progbits
	nop	/* unwinders look at the byte before */
pyinit_signal_return:
	mov	$15, %eax			/* rt_sigreturn() */
	syscall

	.section .rodata.every_signal,"a",@progbits
	.balign	8
every_signal:
	.quad	-1

	.globl	pyinit_start_mask
	.section .bss.pyinit_start_mask,"aw",@nobits
	.balign	8
pyinit_start_mask:
	.quad	0
	.globl	pyinit_start_error
pyinit_start_error:
	.long	0

	.section .note.GNU-stack,"",@progbits
