// SPDX-License-Identifier: MIT
#include <ProcessKit/adoptionreport.h>

namespace ProcessKit {

/*!
    \class ProcessKit::AdoptionReport
    \inmodule ProcessKit
    \inheaderfile ProcessKit/AdoptionReport
    \brief Who was taken into a group.

    \sa ProcessGroup::adopt()
*/

/*!
    \property ProcessKit::AdoptionReport::adopted
    \brief The processes that are in the group now: the one that was asked for, and those that
    descend from it.
*/

/*!
    \variable ProcessKit::AdoptionReport::adopted
    \brief The processes that are in the group now.
*/

/*!
    \property ProcessKit::AdoptionReport::leftOutside
    \brief Its descendants that could not be moved, for example because they belong to another user.
    They do not end with the group.
*/

/*!
    \variable ProcessKit::AdoptionReport::leftOutside
    \brief Its descendants that could not be moved.
*/

/*!
    \fn bool ProcessKit::AdoptionReport::operator==(const AdoptionReport &, const AdoptionReport &)

    Returns \c true if both say the same.
*/

} // namespace ProcessKit
