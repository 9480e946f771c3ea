// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSERROR_P_H
#define PROCESSKIT_PROCESSERROR_P_H

#include <ProcessKit/processerror.h>

namespace ProcessKit {

class ProcessErrorData : public QSharedData
{
public:
    ProcessError::Kind kind = ProcessError::Kind::None;
    QString program;
    QString operation;
    int nativeCode = 0;
    QString detail;
    QStringList searchedDirectories;
    int exitCode = -1;
    int signal = 0;
    QString standardOutput;
    QString standardError;
};

} // namespace ProcessKit

#endif // PROCESSKIT_PROCESSERROR_P_H
