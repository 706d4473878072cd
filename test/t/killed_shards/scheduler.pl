# What a scheduler does every minute, and an operator's maintenance
use strict;
use warnings;

use File::Basename 'dirname';
use lib dirname(__FILE__);
use Client;
use Time::HiRes 'sleep';

until (is_stopped())
{
    try('SELECT companion.dispatch(max_rows => 100)');
    try('SELECT * FROM companion.run_maintenance()') if rand() < 0.3;
    sleep 0.1;
}
