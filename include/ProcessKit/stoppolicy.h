// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_STOPPOLICY_H
#define PROCESSKIT_STOPPOLICY_H

#include <ProcessKit/processkitglobal.h>

#include <QtCore/qlist.h>

#include <chrono>

namespace ProcessKit {

class PROCESSKIT_EXPORT StopPolicy
{
public:
    struct Step
    {
        int signal = 15;
        std::chrono::milliseconds grace = std::chrono::seconds(2);

        friend bool operator==(const Step &, const Step &) = default;
    };

    QList<Step> steps;
    bool escalates = true;

    static StopPolicy terminate(std::chrono::milliseconds grace = std::chrono::seconds(2));
    static StopPolicy kill();
    StopPolicy then(int signal, std::chrono::milliseconds grace) const;
    StopPolicy sparing() const;

    friend bool operator==(const StopPolicy &, const StopPolicy &) = default;
};

} // namespace ProcessKit

#endif // PROCESSKIT_STOPPOLICY_H
