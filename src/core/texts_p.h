// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_TEXTS_P_H
#define PROCESSKIT_TEXTS_P_H

#include <QtCore/qstring.h>

namespace ProcessKit {

class CommandData;
class ProcessResultData;

// without the sequences that terminals understand (ECMA-48), and without control characters but for
// tabs and line ends
QString withoutEscapeSequences(const QString &text);

// Lets a command's policies have each line, and keeps what they give back.
void applyTextPolicies(const CommandData &command, ProcessResultData *result);

// The same for one line alone, without its end; never null.
QString withTextPolicies(const CommandData &command, QString line);

} // namespace ProcessKit

#endif // PROCESSKIT_TEXTS_P_H
