<?php
/** Deleting the plugin deletes what it kept. */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

global $wpdb;
$wpdb->query( "DROP TABLE IF EXISTS {$wpdb->prefix}hamlet_comments" );
delete_option( 'hamlet' );
delete_option( 'hamlet_table' );
