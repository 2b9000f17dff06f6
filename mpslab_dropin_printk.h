/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pr_fmt(), dev_fmt() and DEBUG of a source that is compiled with -include
 * mpslab_dropin.h; included by that alone.
 *
 * A source defines them above its first #include, as the kernel's headers look for
 * them when they are included.  With mpslab_dropin.h that was before: the headers
 * have given pr_fmt() and dev_fmt() their defaults, which the source would redefine,
 * with a warning, and have settled that DEBUG is not defined.
 *
 * So the defaults are taken away again, and the macros that the headers made of them
 * are made once more, in a form that asks for all three only when they are used.
 * The preprocessor can't ask whether a macro is defined while it replaces another;
 * but if pr_fmt("text") has not been replaced, then u8 pasted to it gives
 * u8pr_fmt("text"), which is a macro here, and else it gives u8"prefix: ", a string
 * as any other.
 */
#ifndef MPSLAB_DROPIN_PRINTK_H
#define MPSLAB_DROPIN_PRINTK_H

#include <linux/dev_printk.h>
#include <linux/dynamic_debug.h>
#include <linux/net.h>
#include <linux/printk.h>
#include <linux/suspend.h>

#undef pr_fmt
#undef dev_fmt

#define mpslab_utf8__(...)	u8 ## __VA_ARGS__
#define mpslab_utf8(...)	mpslab_utf8__(__VA_ARGS__)
#define u8pr_fmt(fmt)		fmt
#define u8dev_fmt(fmt)		fmt
#define mpslab_pr_fmt(fmt)	mpslab_utf8(pr_fmt(fmt))
#define mpslab_dev_fmt(fmt)	mpslab_utf8(dev_fmt(fmt))

/* One of the first three, as DEBUG is not defined, empty, or 1. */
#define mpslab_debug_DEBUG	0
#define mpslab_debug_		1
#define mpslab_debug_1		1
#define mpslab_debug__(value)	mpslab_debug_ ## value
#define mpslab_debug(value)	mpslab_debug__(value)
#define MPSLAB_DEBUG		mpslab_debug(DEBUG)

/* ------------------------------------------------------------------- pr_err(), ... */

#undef pr_emerg
#undef pr_alert
#undef pr_crit
#undef pr_err
#undef pr_warn
#undef pr_notice
#undef pr_info
#undef pr_emerg_once
#undef pr_alert_once
#undef pr_crit_once
#undef pr_err_once
#undef pr_warn_once
#undef pr_notice_once
#undef pr_info_once
#undef pr_emerg_ratelimited
#undef pr_alert_ratelimited
#undef pr_crit_ratelimited
#undef pr_err_ratelimited
#undef pr_warn_ratelimited
#undef pr_notice_ratelimited
#undef pr_info_ratelimited

#define mpslab_pr(print, level, fmt, ...) \
	print(level mpslab_pr_fmt(fmt), ##__VA_ARGS__)

#define pr_emerg(...)	mpslab_pr(printk, KERN_EMERG, __VA_ARGS__)
#define pr_alert(...)	mpslab_pr(printk, KERN_ALERT, __VA_ARGS__)
#define pr_crit(...)	mpslab_pr(printk, KERN_CRIT, __VA_ARGS__)
#define pr_err(...)	mpslab_pr(printk, KERN_ERR, __VA_ARGS__)
#define pr_warn(...)	mpslab_pr(printk, KERN_WARNING, __VA_ARGS__)
#define pr_notice(...)	mpslab_pr(printk, KERN_NOTICE, __VA_ARGS__)
#define pr_info(...)	mpslab_pr(printk, KERN_INFO, __VA_ARGS__)

#define pr_emerg_once(...)	mpslab_pr(printk_once, KERN_EMERG, __VA_ARGS__)
#define pr_alert_once(...)	mpslab_pr(printk_once, KERN_ALERT, __VA_ARGS__)
#define pr_crit_once(...)	mpslab_pr(printk_once, KERN_CRIT, __VA_ARGS__)
#define pr_err_once(...)	mpslab_pr(printk_once, KERN_ERR, __VA_ARGS__)
#define pr_warn_once(...)	mpslab_pr(printk_once, KERN_WARNING, __VA_ARGS__)
#define pr_notice_once(...)	mpslab_pr(printk_once, KERN_NOTICE, __VA_ARGS__)
#define pr_info_once(...)	mpslab_pr(printk_once, KERN_INFO, __VA_ARGS__)

#define pr_emerg_ratelimited(...) \
	mpslab_pr(printk_ratelimited, KERN_EMERG, __VA_ARGS__)
#define pr_alert_ratelimited(...) \
	mpslab_pr(printk_ratelimited, KERN_ALERT, __VA_ARGS__)
#define pr_crit_ratelimited(...) \
	mpslab_pr(printk_ratelimited, KERN_CRIT, __VA_ARGS__)
#define pr_err_ratelimited(...) \
	mpslab_pr(printk_ratelimited, KERN_ERR, __VA_ARGS__)
#define pr_warn_ratelimited(...) \
	mpslab_pr(printk_ratelimited, KERN_WARNING, __VA_ARGS__)
#define pr_notice_ratelimited(...) \
	mpslab_pr(printk_ratelimited, KERN_NOTICE, __VA_ARGS__)
#define pr_info_ratelimited(...) \
	mpslab_pr(printk_ratelimited, KERN_INFO, __VA_ARGS__)

/* ----------------------------------------------------------------- dev_err(), ... */

#undef dev_emerg
#undef dev_crit
#undef dev_alert
#undef dev_err
#undef dev_warn
#undef dev_notice
#undef dev_info

#define mpslab_dev(print, level, dev, fmt, ...) \
	dev_printk_index_wrap(print, level, dev, mpslab_dev_fmt(fmt), ##__VA_ARGS__)

#define dev_emerg(...)	mpslab_dev(_dev_emerg, KERN_EMERG, __VA_ARGS__)
#define dev_crit(...)	mpslab_dev(_dev_crit, KERN_CRIT, __VA_ARGS__)
#define dev_alert(...)	mpslab_dev(_dev_alert, KERN_ALERT, __VA_ARGS__)
#define dev_err(...)	mpslab_dev(_dev_err, KERN_ERR, __VA_ARGS__)
#define dev_warn(...)	mpslab_dev(_dev_warn, KERN_WARNING, __VA_ARGS__)
#define dev_notice(...)	mpslab_dev(_dev_notice, KERN_NOTICE, __VA_ARGS__)
#define dev_info(...)	mpslab_dev(_dev_info, KERN_INFO, __VA_ARGS__)

/* ----------------------------------------------------------------- pr_debug(), ... */

#undef pr_devel
#undef pr_devel_once
#undef pr_devel_ratelimited
#undef pr_debug
#undef pr_debug_once
#undef pr_debug_ratelimited
#undef net_dbg_ratelimited
#undef dev_dbg
#undef dev_dbg_ratelimited

/* Never evaluated where it is not printed, as no_printk() has it. */
#define mpslab_if_debug(print)						\
({									\
	if (MPSLAB_DEBUG)						\
		print;							\
	0;								\
})

#define pr_devel(...)							\
	mpslab_if_debug(mpslab_pr(printk, KERN_DEBUG, __VA_ARGS__))
#define pr_devel_once(...)						\
	mpslab_if_debug(mpslab_pr(printk_once, KERN_DEBUG, __VA_ARGS__))
#define pr_devel_ratelimited(...)					\
	mpslab_if_debug(mpslab_pr(printk_ratelimited, KERN_DEBUG, __VA_ARGS__))
#define pr_debug_once(...)						\
	mpslab_if_debug(mpslab_pr(printk_once, KERN_DEBUG, __VA_ARGS__))

#if defined(CONFIG_DYNAMIC_DEBUG) || \
	(defined(CONFIG_DYNAMIC_DEBUG_CORE) && defined(DYNAMIC_DEBUG_MODULE))

/* With DEBUG, a message is on until it is switched off. */
#undef _DPRINTK_FLAGS_DEFAULT
#define _DPRINTK_FLAGS_DEFAULT	(MPSLAB_DEBUG ? _DPRINTK_FLAGS_PRINT : 0)

#undef DYNAMIC_DEBUG_BRANCH
#ifdef CONFIG_JUMP_LABEL
#undef _DPRINTK_KEY_INIT
#define mpslab_key_0		.key.dd_key_false = (STATIC_KEY_FALSE_INIT)
#define mpslab_key_1		.key.dd_key_true = (STATIC_KEY_TRUE_INIT)
#define mpslab_branch_0(key)	static_branch_unlikely(&(key).dd_key_false)
#define mpslab_branch_1(key)	static_branch_likely(&(key).dd_key_true)
#define mpslab_paste__(a, b)	a ## b
#define mpslab_paste(a, b)	mpslab_paste__(a, b)
#define _DPRINTK_KEY_INIT	mpslab_paste(mpslab_key_, MPSLAB_DEBUG)
#define DYNAMIC_DEBUG_BRANCH(descriptor) \
	mpslab_paste(mpslab_branch_, MPSLAB_DEBUG)((descriptor).key)
#else
#define DYNAMIC_DEBUG_BRANCH(descriptor) \
	((descriptor).flags & _DPRINTK_FLAGS_PRINT)
#endif

#define pr_debug(fmt, ...)						\
	_dynamic_func_call(fmt, __dynamic_pr_debug, mpslab_pr_fmt(fmt),	\
			   ##__VA_ARGS__)
#define dev_dbg(dev, fmt, ...)						\
	dynamic_dev_dbg(dev, mpslab_dev_fmt(fmt), ##__VA_ARGS__)

#define mpslab_dbg_ratelimited(allowed, print, fmt, ...)		\
do {									\
	DEFINE_DYNAMIC_DEBUG_METADATA(descriptor, fmt);			\
									\
	if (DYNAMIC_DEBUG_BRANCH(descriptor) && (allowed))		\
		print(&descriptor, ##__VA_ARGS__);			\
} while (0)

#define mpslab_ratelimit()						\
({									\
	static DEFINE_RATELIMIT_STATE(_rs, DEFAULT_RATELIMIT_INTERVAL,	\
				      DEFAULT_RATELIMIT_BURST);		\
									\
	__ratelimit(&_rs);						\
})

#define pr_debug_ratelimited(fmt, ...)					\
	mpslab_dbg_ratelimited(mpslab_ratelimit(), __dynamic_pr_debug,	\
			       fmt, mpslab_pr_fmt(fmt), ##__VA_ARGS__)
#define net_dbg_ratelimited(fmt, ...)					\
	mpslab_dbg_ratelimited(net_ratelimit(), __dynamic_pr_debug,	\
			       fmt, mpslab_pr_fmt(fmt), ##__VA_ARGS__)
#define dev_dbg_ratelimited(dev, fmt, ...)				\
	mpslab_dbg_ratelimited(mpslab_ratelimit(), __dynamic_dev_dbg,	\
			       fmt, dev, mpslab_dev_fmt(fmt), ##__VA_ARGS__)
#else

#define pr_debug(...)							\
	mpslab_if_debug(mpslab_pr(printk, KERN_DEBUG, __VA_ARGS__))
#define pr_debug_ratelimited(...)					\
	mpslab_if_debug(mpslab_pr(printk_ratelimited, KERN_DEBUG, __VA_ARGS__))
#define net_dbg_ratelimited(fmt, ...)					\
	mpslab_if_debug(net_ratelimited_function(pr_debug, fmt, ##__VA_ARGS__))
#define dev_dbg(dev, fmt, ...)						\
	mpslab_if_debug(dev_printk(KERN_DEBUG, dev, mpslab_dev_fmt(fmt), \
				   ##__VA_ARGS__))
#define dev_dbg_ratelimited(dev, fmt, ...)				\
	mpslab_if_debug(dev_level_ratelimited(dev_dbg, dev, fmt, ##__VA_ARGS__))
#endif

#endif /* MPSLAB_DROPIN_PRINTK_H */
