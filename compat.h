/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows kernel versions: each difference between 6.1 and
 * 7.x that the module meets gets the name of the feature, in its newest form.
 */
#ifndef MPSLAB_COMPAT_H
#define MPSLAB_COMPAT_H

#include <linux/kconfig.h>
#include <linux/module.h>
#include <linux/version.h>
#include <linux/workqueue.h>

/* 6.17: workqueues say whether they are per CPU (before, that was the default) */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define WQ_PERCPU	0
#endif

/* 6.13: a namespace is a string */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define MPSLAB_IMPORT_NS(ns)	MODULE_IMPORT_NS(ns)
#else
#define MPSLAB_IMPORT_NS(ns)	MODULE_IMPORT_NS(#ns)
#endif

/*
 * 6.2: symbols that only the KUnit suites may use.  Where KUnit is off, as on
 * the distributions' kernels, nothing of it remains.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#include <kunit/visibility.h>
#elif IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_SYMBOL_IF_KUNIT(symbol) \
	EXPORT_SYMBOL_NS(symbol, EXPORTED_FOR_KUNIT_TESTING)
#else
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#endif

#endif /* MPSLAB_COMPAT_H */
