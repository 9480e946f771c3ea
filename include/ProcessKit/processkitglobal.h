// SPDX-License-Identifier: MIT
#ifndef PROCESSKITGLOBAL_H
#define PROCESSKITGLOBAL_H

#include <QtCore/qnamespace.h>
#include <QtCore/qtmetamacros.h>

#if defined(PROCESSKIT_STATIC)
#  define PROCESSKIT_EXPORT
#elif defined(PROCESSKIT_BUILD_LIB)
#  define PROCESSKIT_EXPORT Q_DECL_EXPORT
#else
#  define PROCESSKIT_EXPORT Q_DECL_IMPORT
#endif

#endif // PROCESSKITGLOBAL_H
