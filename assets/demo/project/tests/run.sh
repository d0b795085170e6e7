#!/bin/sh
# One line a test; the exit status is the number of failures.
cd "$(dirname "$0")/.." || exit 99
failed=0

check() {
    got=$(printf "$2" | sh bin/tally 2>&1)
    want=$(printf "$3")
    if [ "$got" = "$want" ]; then
        echo "ok   $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1"
        echo "     wanted: $want" | tr '\n' ' '
        echo
        echo "     got:    $got" | tr '\n' ' '
        echo
    fi
}

check "two numbers"  '4\n8\n'     'count 2\nsum 12\naverage 6.0'
check "one number"   '7\n'        'count 1\nsum 7\naverage 7.0'
check "blank lines"  '1\n\n2\n'   'count 2\nsum 3\naverage 1.5'
check "a debt"       '5\n-9\n'    'count 2\nsum -4\naverage -2.0'
check "empty input"  ''           'count 0\nsum 0\naverage 0.0'

echo
echo "$failed failed"
exit $failed
