<?php
/**
 * Plugin Name: Hamlet
 * Description: Comment moderation by your own Hamlet: it judges what comes in, asks people where it doubts, and learns from what they decide.
 * Version: 0.1.0
 * Requires at least: 6.1
 * Requires PHP: 8.0
 * License: MIT OR Apache-2.0
 *
 * What each file does:
 *   settings.php   what the administrator wrote, and the page for it
 *   client.php     speaks to the daemon, and nothing else
 *   records.php    the one table: what Hamlet, WordPress and people said of each comment, and what waits to be sent
 *   comments.php   a comment comes in; a moderator decides; what could not be sent is sent later
 *   webhook.php    Hamlet tells of rulings
 *   compare.php    the page that shows where Hamlet and what else is installed agree, and who was right
 *   export.php     what people decided, as training data
 */

namespace Hamlet;

defined( 'ABSPATH' ) || exit;

const VERSION = '0.1.0';

foreach ( array( 'settings', 'client', 'records', 'comments', 'webhook', 'compare', 'export' ) as $file ) {
	require_once __DIR__ . "/$file.php";
}

register_activation_hook( __FILE__, __NAMESPACE__ . '\create_table' );
register_deactivation_hook(
	__FILE__,
	static function (): void {
		wp_clear_scheduled_hook( 'hamlet_resend' );
	}
);
